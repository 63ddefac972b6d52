"""The demo chain: a made-up outdoor and home brand with six stores, its shoppers and a year of their history.

Everything here is a pure function of a seed, a number of shoppers and `now`; the messages it yields enter through the
same ingest service as anyone's. It knows nothing of databases, HTTP or the fold.
"""
