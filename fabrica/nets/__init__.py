"""Networks: the only training loop, layers, what they need of torch. Nothing here is imported before a network is
fitted."""
