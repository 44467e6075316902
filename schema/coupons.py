"""The pools of coupon codes."""

from __future__ import annotations

import strawberry

from schema.described import described
from services.coupons import Pool


@described
@strawberry.type
class CouponPool:
    """The codes of one coupon type. Each goes to one grant, and a grant that finds none waits for the next import."""

    coupon_type: str = strawberry.field(description="The type, as rewards name it.")
    left: int = strawberry.field(description="Codes that are left to give.")
    given: int = strawberry.field(description="Codes that were given.")
    waiting: int = strawberry.field(description="Grants that wait for a code: the next import serves them first.")

    @classmethod
    def of(cls, pool: Pool) -> CouponPool:
        """Convert."""
        return cls(coupon_type=pool.coupon_type, left=pool.left, given=pool.given, waiting=pool.waiting)
