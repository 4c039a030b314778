"""What keeps staging cheap and true to production: which model is sent, and in what manner."""
