"""The room of operations and the desk of the receiver: screens for people, an HTTP API for machines.

    journal ──> follower ──> mirror ──> rows ──> pages (people), api (machines)
                                                    │
    reports.<source>, answers.<receiver>, acts.<region>  <── publisher

It decides nothing and keeps nothing that cannot be made again from the journal. ``app`` puts it together.
"""
