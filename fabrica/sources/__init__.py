"""File formats: one file a format, read in parts and written from parts."""
