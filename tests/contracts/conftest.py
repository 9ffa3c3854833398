"""Servers for this folder's tests."""

from tests.servers.fixtures import azurite as azurite
from tests.servers.fixtures import moto as moto
from tests.servers.fixtures import snowflake as snowflake
from tests.servers.fixtures import snowflake_server as snowflake_server
from tests.servers.fixtures import unique_name as unique_name
