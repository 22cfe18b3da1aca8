"""Tables that are written in parts, so that an interrupted job goes on where it stopped."""

from harness.tagging.outputs.contract import Finished, Output, Part
from harness.tagging.outputs.open_output import open_output
from harness.tagging.outputs.parts import parts_folder

__all__ = ["Finished", "Output", "Part", "open_output", "parts_folder"]
