"""Routes, problem documents, authentication and console pages. Calls services; never imports adapters."""
