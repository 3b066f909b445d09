"""What a teacher gets: slides made from the scenes, plans, a syllabus, a bank of questions."""
