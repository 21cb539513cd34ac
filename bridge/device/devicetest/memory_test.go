package devicetest_test

import (
	"testing"

	"github.com/pushbridge/pushbridge/bridge/device"
	"github.com/pushbridge/pushbridge/bridge/device/devicetest"
)

func TestMemory(t *testing.T) {
	devicetest.Run(t, func(*testing.T) device.Store { return new(devicetest.Memory) })
}
