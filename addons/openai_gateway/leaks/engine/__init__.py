"""Finds secrets in a text: rules compiled together, two engines that find the same."""
