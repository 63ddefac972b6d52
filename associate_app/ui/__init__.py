"""The screens. Flet lives in here only; the screens call services and never import adapters."""
