"""Answers of the API, as they stand in JSON; the OpenAPI document is made from these same structs.

Arguments, results and errors are spliced in as the JSON texts that the store keeps: they are never
decoded here.
"""
