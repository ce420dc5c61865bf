"""Login through the wiki: who somebody is, and their tokens, sealed."""

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter


class WikiAccountAdapter(DefaultSocialAccountAdapter):
    """Keys users by issuer and sub."""
