"""Random programs on a real mesh: processes, a database and a broker, with processes killed at random."""
