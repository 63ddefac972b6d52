"""HQ: merges what tablets and channels send into one profile a shopper and feeds each store. Not on a tablet."""
