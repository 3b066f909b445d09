"""How learners are asked: predictions, questions, and what is shown beside the answer."""
