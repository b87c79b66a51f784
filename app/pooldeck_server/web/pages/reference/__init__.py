"""The reference of the API: each call that its reader may make, from the OpenAPI document."""
