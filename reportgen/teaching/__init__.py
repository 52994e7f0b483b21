"""What a handout teaches, as data: worked arithmetic, and exercises with their answers.

Formulas are lines of text in a small notation that `report/formulas.py` typesets: `[a | b]` is a fraction,
`⌊x⌋` and `⌈x⌉` round down and up, `c_in` has an index.
"""
