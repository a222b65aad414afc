"""Write segments in the layouts of other programs."""
