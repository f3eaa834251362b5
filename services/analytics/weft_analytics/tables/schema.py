"""What all tables of analytics are part of."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(schema="analytics")
moment = sa.TIMESTAMP(timezone=True)
