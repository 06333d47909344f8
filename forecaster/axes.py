"""Array types with named axes: `Float[np.ndarray, "ticker time 4"]`.

They are jaxtyping's when something checks them (a type checker, or the tests' import hook). Otherwise they are plain
arrays, so that a forecast does not pay for importing jaxtyping.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool as Bool
    from jaxtyping import Float as Float
    from jaxtyping import Float32 as Float32
    from jaxtyping import Int as Int
    from jaxtyping import Shaped as Shaped
else:

    class _Array:
        def __class_getitem__(cls, item: tuple[Any, str]) -> Any:
            return item[0]

    Bool = Float = Float32 = Int = Shaped = _Array
