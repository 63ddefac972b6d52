"""Files that other systems leave: read row by row, mapped to what the house knows, and taken by the same doors.

Flow step 7. Orders, shoppers, consents, events and service cases become messages of the tracking API and take ingest's
way, so an import is as idempotent as a resend; products, stock, stores, people and places are written as they are.
"""
