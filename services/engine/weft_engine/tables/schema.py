"""What all tables of the engine are part of."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(schema="engine")
moment = sa.TIMESTAMP(timezone=True)
