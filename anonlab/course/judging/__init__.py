"""How an exercise is judged: the student's code is asked, the truth is worked out, and compared."""
