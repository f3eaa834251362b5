"""HTTP bodies and views of the edge."""
