"""The steps of a run, one file each, so that a change reruns only the steps whose sources it touches."""
