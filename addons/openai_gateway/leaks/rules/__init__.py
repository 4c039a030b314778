"""What a rule is, and the files that rules are read from: our own form, and gitleaks'."""
