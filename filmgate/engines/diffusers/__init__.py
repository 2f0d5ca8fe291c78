"""The engine `diffusers`: pictures and clips from open weights, on a graphics card or, slowly, on a CPU."""
