"""The texts in files: archives, office documents, PDF, pictures; told by content, within bounds."""
