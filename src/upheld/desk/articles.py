"""Articles of law as the law table writes them, and as a Korean reader knows them."""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = (
    ("former Safety Standards", "구 안전성 확보조치 기준"),
    ("Safety Standards", "안전성 확보조치 기준"),
    ("Standard Guideline", "표준 개인정보 보호지침"),
    ("Network Act decree", "정보통신망법 시행령"),
    ("Network Act", "정보통신망법"),
    ("PIPA decree", "개인정보 보호법 시행령"),
    ("PIPA", "개인정보 보호법"),
    ("decree", "시행령"),
)
_ARTICLE: Final = re.compile(r"(?<![\d가-힣])(\d+)(?:-(\d+))?(?:\((\d+)\))?")


def article_in(article: str, locale: str) -> str:
    """`PIPA 26(4)` is `개인정보 보호법 제26조제4항` in Korean; another language keeps it as it is."""
    if not locale.startswith("ko"):
        return article
    return ", ".join(one if one.startswith("GDPR") else _korean(one) for one in article.split(", "))


def _korean(article: str) -> str:
    for english, korean in _NAMES:
        article = re.sub(rf"\b{english}\b", korean, article)
    article = _ARTICLE.sub(_numbered, article)
    return article.replace(" to ", "부터 ")


def _numbered(found: re.Match[str]) -> str:
    number, branch, paragraph = found.groups()
    return f"제{number}조" + (f"의{branch}" if branch else "") + (f"제{paragraph}항" if paragraph else "")


def capital(text: str) -> str:
    """The text as a heading begins."""
    return text[:1].upper() + text[1:]
