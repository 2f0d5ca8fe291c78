"""Finished files, whatever engine made their pixels: clips with sound, pictures, and how they were made."""
