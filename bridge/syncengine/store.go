package syncengine

// A Store keeps everything that the engine knows.
type Store interface{}
