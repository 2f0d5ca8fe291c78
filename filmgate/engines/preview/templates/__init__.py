"""The effect templates: named recipes of motion, drawn things and light over one analysed picture.

`registry` lists them, `recipe` says what one is made of, `effect` performs one for the renderer. Everything moves as a
function of time and seed alone; a prompt is never read.
"""
