function imfilter()
    % The script of the test package needs the image package, by this function of it; the stand-in does not.
end
