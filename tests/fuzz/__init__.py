"""Rules fuzz: the evaluator and the SQL compiler answer the same for every tree and every shopper."""
