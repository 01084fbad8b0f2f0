"""What will probably not do what a rule's author meant: findings with a line, the reason and a fix."""
