"""What is not a test: programs that tests run, and the scripts that made golden files with other libraries."""

collect_ignore_glob = ["programs/scripts/*", "*/make_*.py", "mutants/*", "typing/*"]
