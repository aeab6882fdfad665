#include "egress/client.h"
