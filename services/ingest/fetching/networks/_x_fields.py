"""What we ask X for of every post: it gives an id and a text alone to whoever asks for nothing else."""

from typing import Final

API: Final = "https://api.x.com"
TOKENS: Final = "https://api.x.com/2/oauth2/token"
FIELDS: Final = {
    "tweet.fields": "attachments,author_id,conversation_id,created_at,edit_history_tweet_ids,entities,lang,note_tweet,"
    "public_metrics,referenced_tweets",
    "expansions": "author_id,attachments.media_keys",
    "user.fields": "name,public_metrics,username,verified",
    "media.fields": "alt_text,duration_ms,type,url",
}
PAGE: Final = FIELDS | {"max_results": "100"}
