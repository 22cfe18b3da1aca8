"""What pyproject.toml cannot say: in the wheel, the project's configs are inside the package `harness`."""

from setuptools import find_packages, setup

code = find_packages(include=["data_cleaning*", "baselines*", "neural*", "harness*"])
configs = ["configs", "configs.keywords", "configs.layouts"]
setup(
    packages=[*code, *(f"harness.{folder}" for folder in configs)],
    package_dir={f"harness.{folder}": folder.replace(".", "/") for folder in configs},
)
