"""The words that every floor speaks: Call, Verdict, Stage, Secret, Clock. Standard library only."""
