"""Systems with torch: a fine-tuned encoder with one head per target."""

import os

# Threads of OpenMP that wait would spin: beside one other busy process on two cores, training fell from 150 titles a
# second to 17. OpenMP reads these as torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
