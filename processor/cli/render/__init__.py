"""Records as text: lines, tables and JSON."""
