"""What a run is started with, what its activities are told, and what they answer; a module for each subject.

Commands are imperatives named like their activity; answers are nouns. All of it travels in Temporal
histories: ids and hashes, never spec texts, diffs or secrets.
"""
