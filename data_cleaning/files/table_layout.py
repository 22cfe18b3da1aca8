"""Where the table is within a file, as somebody asked for it."""

from dataclasses import dataclass

from data_cleaning.errors import BadInput

ALL_SHEETS = "all"


@dataclass(frozen=True)
class Layout:
    """What a person says of the place of the table; None finds it out."""

    sheet: str | None = None
    """Name of a sheet of a workbook; "all" joins every sheet with the same header."""
    header_row: int | None = None
    """Line of a CSV file, or row of a sheet, that has the names of the columns; from 1."""

    def __post_init__(self) -> None:
        """Check the row.

        Raises:
            BadInput: it is below 1.
        """
        if self.header_row is not None and self.header_row < 1:
            raise BadInput(f"--header-row {self.header_row}: expected 1 for the first row of the file, or more.")
