"""Rows for pandas, R and spreadsheets, in constant memory."""
