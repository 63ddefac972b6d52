"""One module a screen, in the order an associate meets them."""
