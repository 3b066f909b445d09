"""What an exercise is, and how the course is built, chosen, checked and handed out."""
