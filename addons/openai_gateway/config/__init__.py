"""gateway.yaml: what it may say (model), what it says (load), and when that changed (reload)."""
