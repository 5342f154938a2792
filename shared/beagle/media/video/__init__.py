"""Read-only video: one decode feeds frames, segments and manifest; a long one is cut into parts."""
