"""Somebody's small leads file, and settings that several tests of the verbs share."""

GIVEN = """id,What you do,Dept,Grade,Times,campaign
007,Head  Nurse,Dept. of Nursing,Head,3,"spring, late"
008,,Nursing,Head,1,
009,Head Nurse,Nursing,Chief,1,autumn
010,"Chef ""2nd"", hot",Kitchen,,1,
011,Leiter der Buchhaltung,Accounts,Head,2,winter
012,Head Nurse,Nursing,Head,1,
"""

CONSENSUS = "clean.consensus=whole-file"

DEFAULT = "configs/default.yaml"
