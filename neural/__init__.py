"""Systems with torch: a fine-tuned encoder with one head per target."""

from data_cleaning.threads import limit_threads

limit_threads()  # before torch is loaded, which reads these settings then
