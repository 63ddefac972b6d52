"""What several tests share: a headquarters on a real database, devices, ops made as a tablet makes them."""
