"""The chat: from a message of WeChat's to an answer or a case (decisions 0025 and 0026).

Enter by ``chat_door.py`` (a message is kept, acknowledged and heard once) and ``conversations.py`` (the
chart).
"""
