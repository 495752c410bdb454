"""The rule map: which of the regulations' rules the code keeps, and what proves it."""
