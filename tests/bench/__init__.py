"""`make bench`: what a call through the gateway costs, against an empty mitmdump."""
