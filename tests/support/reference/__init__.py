"""docs/reference.md: what can be said by code about `@task`, `current_task()` and the settings.

The tables of that page are made from the declarations themselves, and from what is said of each
where it is declared. What is declared without a word, or a number without a unit, is refused.
"""
